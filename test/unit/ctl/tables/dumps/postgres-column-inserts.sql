--
-- PostgreSQL database dump
--

\restrict nhYRNEhJI59gNx3PKi3qVdgbtivEtirIxWcLa3ztbirr7LJ1dszMKgdZU1a91qj

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: address; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.address (
    id integer NOT NULL,
    grp integer DEFAULT 1 NOT NULL,
    ip_addr character varying(50) NOT NULL,
    mask integer DEFAULT 32 NOT NULL,
    port smallint DEFAULT 0 NOT NULL,
    tag character varying(64)
);


ALTER TABLE public.address OWNER TO postgres;

--
-- Name: address_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.address_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.address_id_seq OWNER TO postgres;

--
-- Name: address_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.address_id_seq OWNED BY public.address.id;


--
-- Name: address id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.address ALTER COLUMN id SET DEFAULT nextval('public.address_id_seq'::regclass);


--
-- Data for Name: address; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.address (id, grp, ip_addr, mask, port, tag) VALUES (1, 1, '192.0.2.1', 32, 0, 'b.example');
INSERT INTO public.address (id, grp, ip_addr, mask, port, tag) VALUES (2, 1, '192.0.2.16', 28, 0, 'b.example');
INSERT INTO public.address (id, grp, ip_addr, mask, port, tag) VALUES (3, 2, '198.51.100.1', 32, 5060, 'c.example');
INSERT INTO public.address (id, grp, ip_addr, mask, port, tag) VALUES (4, 3, '2001:db8::1', 128, 0, 'd.example');
INSERT INTO public.address (id, grp, ip_addr, mask, port, tag) VALUES (5, 3, 'sbc.e.example', 32, 0, NULL);
INSERT INTO public.address (id, grp, ip_addr, mask, port, tag) VALUES (6, 4, '203.0.113.1', 0, 0, 'it''s a \ tag');


--
-- Name: address_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.address_id_seq', 6, true);


--
-- Name: address address_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

\unrestrict nhYRNEhJI59gNx3PKi3qVdgbtivEtirIxWcLa3ztbirr7LJ1dszMKgdZU1a91qj

